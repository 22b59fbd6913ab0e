// The error of a flag or an environment variable.

/** An invalid setting. The message begins with the name under which it was given: `--tls-ca: …`. */
export class SettingError extends Error {
  override readonly name = "SettingError";
  /** 2 if the value is invalid, 1 if what it names cannot be used. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
