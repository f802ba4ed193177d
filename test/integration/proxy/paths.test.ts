import { expect } from "chai";
import { startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

const PATHS = [
  "/",
  "//",
  "//double//slash/",
  "/a/../b",
  "/a/./b/",
  "/%2e%2e/%2E",
  "/a%2Fb%00c%zz",
  "/back\\slash",
  "http://x/absolute?x",
  "HTTP://X:80/absolute",
  "/https:/x",
  "/?",
  "/?a=1&&b==2&a=3",
  "/?url=http://x//y?z",
  "/a?b?c",
  "/a;b=c,d",
  '/a|b^c`d{e}"<f>',
  "*",
];

describeEngines("proxy paths", () => {
  for (const path of PATHS) {
    it(`forwards ${JSON.stringify(path)} byte for byte`, async () => {
      const prod = await startRawBackend(({ socket }) => socket.write(OK));
      const proxy = await startTestProxy({ prod });
      const line = `OPTIONS ${path} HTTP/1.1`;
      const client = proxy.connect().send(line, "Host: x", "", "");
      expect((await client.response()).status).to.equal(200);
      const [seen] = prod.connections[0]!.received.split("\r\n", 1);
      expect(seen).to.equal(line);
    });
  }

  for (const [path, host] of [
    ["http://other.example/", "x"],
    ["http://x:8080/", "x"],
    ["http://x@y/", "x"],
  ] as const) {
    it(`answers 400 to ${path} with Host: ${host}, which two servers could read differently`, async () => {
      const prod = await startRawBackend(({ socket }) => socket.write(OK));
      const proxy = await startTestProxy({ prod });
      const client = proxy.connect();
      client.send(`GET ${path} HTTP/1.1`, `Host: ${host}`, "", "");
      expect((await client.response()).status).to.equal(400);
      expect(prod.accepted()).to.equal(0);
    });
  }

  for (const path of ["http:/x", "/caf\xe9", "x", "/a\x7f", "/a\tb"]) {
    it(`answers 400 to ${JSON.stringify(path)}, which is no valid URL`, async () => {
      const prod = await startRawBackend(({ socket }) => socket.write(OK));
      const proxy = await startTestProxy({ prod });
      const client = proxy.connect();
      client.send(`OPTIONS ${path} HTTP/1.1`, "Host: x", "", "");
      expect((await client.response()).status).to.equal(400);
      expect(prod.accepted()).to.equal(0);
    });
  }
});
