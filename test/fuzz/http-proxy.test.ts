import { describeFuzz } from "./describe-fuzz.js";

describeFuzz("http-proxy");
