import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { findServicePort } from "../system/service-port.js";
import { waitFor } from "../wait-for.js";

export interface StoredMail {
  from: string;
  destination: { to: string[]; cc: string[]; bcc: string[] };
  subject: string;
  body: { text?: string; html?: string };
}

export interface SesEmulator {
  endpoint: string;
  mails: () => Promise<StoredMail[]>;
  stop: () => Promise<void>;
}

/** aws-ses-v2-local, which accepts SendRawEmail like SES and stores the mails. */
export async function startSesEmulator(): Promise<SesEmulator> {
  const port = await findServicePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const main = createRequire(import.meta.url).resolve("aws-ses-v2-local");
  const program = main.replace(/index\.js$/, "cli.js");
  const child = spawn(
    process.execPath,
    [program, "--host", "127.0.0.1", "--port", String(port)],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  await waitFor(
    "the SES emulator",
    () =>
      fetch(`${endpoint}/health-check`).then(
        ({ ok }) => ok,
        () => false,
      ),
    25_000,
  );
  return {
    endpoint,
    mails: async () => {
      const response = await fetch(`${endpoint}/store`);
      return ((await response.json()) as { emails: StoredMail[] }).emails;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
