import { describeFuzz } from "./describe-fuzz.js";

describeFuzz("direct");
