import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { userInfo } from "node:os";
import { onCleanup } from "./cleanup.js";
import { findOnPath } from "./needed-program.js";
import { createTempDirectory } from "./temp-directory.js";
import { waitFor } from "./wait-for.js";

/** A real sshd on loopback that lets this user in by a key, with programs of its own before those of the PATH. */
export interface SshServer {
  port: number;
  user: string;
  /** The private key's path. */
  key: string;
  /** With an `ssh` that knows the server's key. */
  PATH: string;
}

/** @param programs shell scripts by name, for those who log in */
export async function startSshServer(
  programs: Record<string, string>,
): Promise<SshServer> {
  const folder = createTempDirectory();
  const path = (name: string) => join(folder, name);
  const generate = (name: string) =>
    execFileSync("ssh-keygen", [
      ...["-q", "-t", "ed25519", "-N", "", "-f", path(name)],
    ]);
  generate("host");
  generate("user");
  const write = (name: string, script: string) => {
    writeFileSync(path(name), `#!/bin/sh\n${script}\n`);
    chmodSync(path(name), 0o755);
  };
  for (const [name, script] of Object.entries(programs)) write(name, script);
  const PATH = `${folder}:${process.env.PATH ?? ""}`;
  const ssh = findOnPath(["ssh"]) ?? "ssh";
  write(
    "ssh",
    `exec ${ssh} -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"`,
  );
  const port = await findFreePort();
  writeFileSync(
    path("config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${path("host")}`,
      `AuthorizedKeysFile ${path("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      `PidFile none`,
      `SetEnv PATH=${PATH}`,
    ].join("\n"),
  );
  // As root it wants a folder that its service makes.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const sshd = spawn(
    findOnPath(["sshd"]) ?? "sshd",
    ["-D", "-e", "-f", path("config")],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  onCleanup(async () => {
    sshd.kill();
    if (sshd.exitCode === null && sshd.signalCode === null)
      await once(sshd, "exit");
  });
  let said = "";
  sshd.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await waitFor("sshd to listen", () => {
    if (sshd.exitCode !== null) throw new Error(`sshd: ${said}`);
    return said.includes("Server listening");
  });
  return { port, user: userInfo().username, key: path("user"), PATH };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
