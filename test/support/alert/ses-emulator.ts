import { createRequire } from "node:module";
import { Subprocess } from "../programs/subprocess.js";
import { findServicePort } from "../system/service-port.js";

export interface StoredMail {
  from: string;
  destination: { to: string[]; cc: string[]; bcc: string[] };
  subject: string;
  body: { text?: string; html?: string };
}

export interface SesEmulator {
  endpoint: string;
  mails: () => Promise<StoredMail[]>;
  stop: () => Promise<unknown>;
}

/** aws-ses-v2-local, which accepts SendRawEmail like SES and stores the mails. */
export async function startSesEmulator(): Promise<SesEmulator> {
  const port = await findServicePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const main = createRequire(import.meta.url).resolve("aws-ses-v2-local");
  const program = main.replace(/index\.js$/, "cli.js");
  const emulator = new Subprocess(
    [
      ...([process.execPath, program] as const),
      ...["--host", "127.0.0.1", "--port", String(port)],
    ],
    { name: "the SES emulator", env: process.env },
  );
  await emulator.waitFor(
    "an answer",
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
    stop: () => emulator.end(),
  };
}
