/** The error of an invalid transport option. */

/** Thrown by `createTransport`; `option` is the name of the option at fault, with which `message` begins. */
export class TransportOptionError extends TypeError {
  override name = "TransportOptionError";
  readonly option: string;
  /** The message without the option's name, for callers that know the option by another one. */
  readonly problem: string;

  constructor(option: string, problem: string) {
    super(`${option}: ${problem}`);
    this.option = option;
    this.problem = problem;
  }
}
