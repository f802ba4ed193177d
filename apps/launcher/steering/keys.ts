const CTRL_C = "\x03";

/** The part of a terminal's input that is used. */
export interface Terminal {
  setRawMode: (mode: boolean) => unknown;
  on: (event: "data", listener: (data: Buffer) => void) => unknown;
  off: (event: "data", listener: (data: Buffer) => void) => unknown;
  resume: () => unknown;
  pause: () => unknown;
}

/** Calls the function of each key that is pressed in a terminal. Ctrl-C stays a signal. @returns what gives the terminal back */
export function listenForKeys(
  terminal: Terminal,
  onKey: Readonly<Record<string, () => void>>,
): () => void {
  const onData = (data: Buffer) => {
    for (const key of data.toString())
      if (key === CTRL_C) process.kill(process.pid, "SIGINT");
      else onKey[key]?.();
  };
  terminal.setRawMode(true);
  terminal.on("data", onData);
  terminal.resume();
  return () => {
    terminal.off("data", onData);
    terminal.setRawMode(false);
    terminal.pause();
  };
}
