const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: "AKIASERINTEST",
  AWS_SECRET_ACCESS_KEY: "serin-test-secret",
  AWS_SESSION_TOKEN: "serin-test-session",
};

/** Sets AWS credentials for the SDK's default chain during the enclosing suite. */
export function provideAwsCredentials(): void {
  const found = new Map<string, string | undefined>();
  before(() => {
    for (const [name, value] of Object.entries(CREDENTIALS)) {
      found.set(name, process.env[name]);
      process.env[name] = value;
    }
  });
  after(() => {
    for (const [name, value] of found) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
}
