import { describe, expect, it, vi } from "vitest";
import { type Config, readConfig } from "../../../server/command/config.js";
import { Reloader, type ReloaderParts } from "../../../server/command/reload.js";
import type { Flag, Given } from "../../../server/command/settings.js";
import { createLogger } from "../../../server/operate/log.js";
import type { ReloadOptions, ReloadReport } from "../../../server/reload.js";
import { RoutingError } from "../../../server/rest/route/rules.js";
import { AbsentUpstreamError } from "../../../server/upstream/absent-upstream-error.js";
import { TestClock } from "../../support/clock.js";

type Line = Record<string, unknown>;

const nothing = { added: [], removed: [] };
const unchanged: ReloadReport = { upstreams: { ...nothing, changed: [] }, services: nothing, routes: nothing };

const configOf = (settings: Record<Flag, unknown> = {}) => {
  const given = Object.entries(settings).map(([flag, value]): [Flag, Given] => [
    flag as Flag,
    { name: `proxy.yaml: line 1, column 1: ${flag.slice(2)}`, value },
  ]);
  return readConfig(new Map([["--config", "proxy.yaml"]]), {}, { settings: new Map(given), upstreams: [] });
};

/** A reloader whose files and server are what the test says. */
class Scene {
  readonly log: Line[] = [];
  readonly reloads: ReloadOptions[] = [];
  refreshes = 0;
  read: ReloaderParts["read"] = async () => ({ config: configOf(), upstreams: [{ url: "a:1" }] });
  reload = async (_: ReloadOptions): Promise<ReloadReport> => unchanged;
  readonly clock = new TestClock();
  readonly reloader: Reloader;

  constructor(config = configOf(), renewKeys?: ReloaderParts["renewKeys"]) {
    this.reloader = new Reloader({
      server: {
        reload: (options) => {
          this.reloads.push(options);
          return this.reload(options);
        },
        reloadTls: () => {},
      },
      logger: createLogger("debug", {
        write: (line) => {
          const { level, msg, time, ...fields } = JSON.parse(line);
          this.log.push({ line: `${level}: ${msg}`, ...fields });
        },
      }),
      config,
      read: () => this.read(),
      renewKeys,
      refresh: async () => {
        this.refreshes++;
      },
      clock: this.clock,
    });
  }
}

describe("a reload", () => {
  it("replaces upstreams and rules, and logs what changed", async () => {
    const scene = new Scene();
    scene.reload = async () => ({
      upstreams: { added: ["b:1"], removed: ["c:1"], changed: ["a:1"] },
      services: { added: ["a.B"], removed: [] },
      routes: { added: ["x", "y"], removed: ["z"] },
    });
    await scene.reloader.request();
    expect(scene.reloads).toEqual([{ upstreams: [{ url: "a:1" }], httpRules: { rules: [] } }]);
    expect(scene.refreshes).toBe(1);
    expect(scene.log).toEqual([
      {
        line: "info: reloaded",
        upstreamsAdded: ["b:1"],
        upstreamsRemoved: ["c:1"],
        upstreamsChanged: ["a:1"],
        servicesAdded: ["a.B"],
        routesAdded: 2,
        routesRemoved: 1,
      },
    ]);
  });

  it("changes nothing if settings cannot be read", async () => {
    const scene = new Scene();
    scene.read = () => Promise.reject(new Error("proxy.yaml: line 1, column 1: port: expected …"));
    await scene.reloader.request();
    expect(scene.reloads).toEqual([]);
    const reason = "proxy.yaml: line 1, column 1: port: expected …";
    expect(scene.log).toEqual([{ line: "error: not reloaded; nothing changed", reason }]);
  });

  it("names the file of rules that cannot be served", async () => {
    const scene = new Scene();
    const { config, upstreams } = await scene.read();
    scene.read = async () => ({ config: { ...config, httpRules: "test/unit/command/rules.yaml" }, upstreams });
    await scene.reloader.request();
    expect(scene.log).toMatchObject([{ reason: "--http-rules: test/unit/command/rules.yaml: no such file" }]);
  });

  it("explains what the server refuses", async () => {
    const scene = new Scene();
    scene.reload = () => Promise.reject(new RoutingError(["a.B.C: http rule: wrong", "a.B.D: http rule: wrong"]));
    await scene.reloader.request();
    expect(scene.log).toMatchObject([{ reason: "a.B.C: http rule: wrong\na.B.D: http rule: wrong" }]);
  });

  it("is tried again as long as all that is wrong is that an upstream is away", async () => {
    const scene = new Scene();
    scene.reload = () => Promise.reject(new AbsentUpstreamError("b:1: its schema could not be read within 10000 ms"));
    await scene.reloader.request();
    const failed = { line: "error: not reloaded; nothing changed", retryMs: 5000 };
    expect(scene.log).toMatchObject([failed]);
    // What was asked for is tried again, not what files have become since. The same reason is said once.
    const { read } = scene;
    scene.read = () => Promise.reject(new Error("half written"));
    scene.clock.advance(5000);
    await vi.waitFor(() => expect(scene.reloads).toHaveLength(2));
    await scene.clock.untilScheduled(5000);
    expect(scene.log).toHaveLength(1);
    // A signal takes the place of the next attempt, and has a line of its own.
    scene.read = read;
    await scene.reloader.request();
    expect(scene.log).toMatchObject([failed, failed]);
    expect(scene.clock.delays).toEqual([5000]);
    // So is one that comes during an attempt: it reads the files anew.
    const reads: string[] = [];
    scene.read = async () => {
      reads.push("read");
      return read();
    };
    scene.clock.advance(5000);
    await vi.waitFor(() => expect(scene.clock.delays).toEqual([]));
    await scene.reloader.request();
    expect(reads).toEqual(["read"]);
    expect(scene.clock.delays).toEqual([5000]);
    scene.reload = async () => unchanged;
    scene.clock.advance(5000);
    await vi.waitFor(() => expect(scene.log.at(-1)).toMatchObject({ line: "info: reloaded" }));
    expect(scene.reloads).toHaveLength(6);
    expect(scene.clock.delays).toEqual([]);
  });

  it("warns of settings that need a restart, each time", async () => {
    const scene = new Scene(configOf({ "--port": 1, "--host": "a" }));
    scene.read = async () => ({ config: configOf({ "--port": 2, "--host": "a", "--watch": false }), upstreams: [] });
    const lines = [
      { line: "info: reloaded" },
      {
        line: "warn: some settings change only with a restart",
        settings: ["proxy.yaml: line 1, column 1: port"],
      },
    ];
    await scene.reloader.request();
    expect(scene.log).toEqual(lines);
    await scene.reloader.request();
    expect(scene.log).toEqual([...lines, ...lines]);
  });

  it("replaces keys after everything else has been checked", async () => {
    const keys: string[] = [];
    const scene = new Scene(configOf(), async () => () => void keys.push("new"));
    scene.reload = () => Promise.reject(new RoutingError(["a.B.C: http rule: wrong"]));
    await scene.reloader.request();
    expect(keys).toEqual([]);
    scene.reload = async () => unchanged;
    await scene.reloader.request();
    expect(keys).toEqual(["new"]);
  });

  it("changes nothing if keys cannot be read", async () => {
    const reason = "--api-keys: keys.yaml: no such file";
    const scene = new Scene(configOf(), () => Promise.reject(new Error(reason)));
    await scene.reloader.request();
    expect(scene.reloads).toEqual([]);
    expect(scene.log).toEqual([{ line: "error: not reloaded; nothing changed", reason }]);
  });

  it("warns of keys where there were none, or are none any more, and not of other ones", async () => {
    const withAuth = (value: object) => ({
      ...configOf(),
      auth: { name: "proxy.yaml: line 1, column 1: auth", value },
    });
    const withKey = (name: string) => withAuth({ apiKeys: { keys: { [name]: "a-key-of-16-characters" } } });
    const reload = async (before: Config, after: Config) => {
      const scene = new Scene(before);
      scene.read = async () => ({ config: after, upstreams: [] });
      await scene.reloader.request();
      return scene.log.slice(1);
    };
    const warning = { line: "warn: some settings change only with a restart", settings: ["auth"] };
    expect(await reload(withKey("a"), withKey("b"))).toEqual([]);
    expect(await reload(withAuth({}), withKey("b"))).toEqual([warning]);
    expect(await reload(withKey("a"), withAuth({}))).toEqual([warning]);
  });

  it("that is asked for while one runs happens after it, once", async () => {
    const scene = new Scene();
    let running = 0;
    scene.reload = async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return unchanged;
    };
    await Promise.all([scene.reloader.request(), scene.reloader.request(), scene.reloader.request()]);
    expect(scene.reloads.length).toBe(2);
    await scene.reloader.request();
    expect(scene.reloads.length).toBe(3);
  });
});
