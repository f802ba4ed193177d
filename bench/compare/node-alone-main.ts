/** A `node:http` server that gives the backend's answers: the lower bound for a proxy that serves with `node:http`. */
import { createServer } from "node:http";
import { LARGE_BYTES, LARGE_PATH } from "./scenarios.js";

const small = "ok\n";
const large = Buffer.alloc(LARGE_BYTES, "x");

createServer((request, response) => {
  const body = request.url === LARGE_PATH ? large : small;
  request.resume().once("end", () => {
    response.writeHead(200, { "content-length": body.length }).end(body);
  });
}).listen(Number(process.env.PORT), "127.0.0.1");
