/** A canary that does nothing but answer, for the measurement of flips; test/support/system/request-tap.ts counts its requests. */
import { createServer } from "node:http";

createServer((_request, response) => void response.end("ok\n")).listen(
  Number(process.env.PORT),
  "127.0.0.1",
  () => console.log(JSON.stringify({ level: "info", msg: "canary listens" })),
);
