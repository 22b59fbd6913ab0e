import { Code, ConnectError } from "@connectrpc/connect";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { explainFailure, type Failure } from "../../../client/failure.js";
import { TransportOptionError } from "../../../client/option-error.js";
import { SettingError } from "../../../server/program/setting-error.js";

const bothAddresses = new AggregateError([
  new Error("connect ECONNREFUSED ::1:1"),
  new Error("connect ECONNREFUSED 127.0.0.1:1"),
]);
const wrongVersion =
  "write EPROTO 80CC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/ssl3_record.c:350:\n";

describe("a failure", () => {
  it.each<[string, unknown, Failure]>([
    ["the server's", new ConnectError("no", Code.NotFound), { exitCode: 1, line: "error: http://h: [not_found] no" }],
    [
      "with a server's line breaks and escapes",
      new ConnectError("a\r\n\tb\u001b[31mc\u009b1m\u2028d ", Code.Internal),
      { exitCode: 1, line: "error: http://h: [internal] a b [31mc 1m d" },
    ],
    [
      "at every address of a host",
      new ConnectError("", Code.Unavailable, undefined, undefined, bothAddresses),
      {
        exitCode: 1,
        line: "error: http://h: [unavailable] connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1",
      },
    ],
    ["without a message", new ConnectError("", Code.Aborted), { exitCode: 1, line: "error: http://h: [aborted]" }],
    [
      "of OpenSSL's",
      new Error(wrongVersion),
      { exitCode: 1, line: "error: http://h: [unknown] write EPROTO SSL routines: wrong version number" },
    ],
    [
      "of a file",
      new SettingError("--tls-ca: error:0480006C:PEM routines::no start line", 1),
      { exitCode: 1, line: "error: --tls-ca: PEM routines: no start line" },
    ],
    [
      "of an option that is a flag",
      new TransportOptionError("baseUrl", "is odd"),
      { exitCode: 2, line: "error: --url: is odd" },
    ],
    [
      "of an option that is no flag",
      new TransportOptionError("readMaxBytes", "is odd"),
      { exitCode: 2, line: "error: readMaxBytes: is odd" },
    ],
    ["of usage", new CommanderError(1, "code", "error: what?"), { exitCode: 2, line: "error: what?" }],
    ["that is none", new CommanderError(0, "commander.help", "(outputHelp)"), { exitCode: 0, line: "" }],
  ])("%s is one line and an exit code", (_, error, failure) => {
    expect(explainFailure(error, "http://h")).toEqual(failure);
  });
});
