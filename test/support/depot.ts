// The service that generated clients are tried on. Its responses show what arrived.
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { DepotService, type Item, ItemSchema } from "../gen/manywire/test/describe/v1/depot_pb.js";

/** An item with a field of every kind. */
export function itemOf(name: string): Item {
  return create(ItemSchema, {
    name,
    weight: 1.5,
    sizes: [0.5, 2],
    count: 9_007_199_254_740_993n,
    checksum: new Uint8Array([1, 2, 3]),
    state: 1,
    labels: { colour: "red" },
    parts: { 7: { title: "wheel", parts: [{ title: "spoke" }] } },
    note: "fragile",
    limit: 5n,
    createTime: { seconds: 1_709_208_000n, nanos: 0 },
    ttl: { seconds: 1n, nanos: 500_000_000 },
    extra: { shade: "dark" },
    part: { title: "frame" },
    identity: { case: "serial", value: 42n },
    packing: { case: "pallet", value: 0.25 },
  });
}

export function routeDepot(router: ConnectRouter): void {
  router.service(DepotService, {
    getItem: ({ name }) => itemOf(name),
    createItem: ({ parent, item }) => ({ ...(item ?? {}), name: `${parent}/items/new` }) as Item,
    searchItems: ({ text, pageSize, by }) => ({
      name: text,
      count: BigInt(pageSize),
      ...(by.case === "code" ? { identity: { case: "barCode", value: by.value } } : {}),
      ...(by.case === "heavierThan" ? { weight: by.value } : {}),
    }),
    updateItem: ({ item, updateMask }) =>
      ({ ...item, ...(updateMask === undefined ? {} : { shown: updateMask }) }) as Item,
    async *watchItems({ count }) {
      for (let index = 0; index < Math.min(count, 100); index++) yield itemOf(`shelves/1/items/${index}`);
    },
    uploadPicture: ({ name, picture }) => ({
      name,
      checksum: picture?.data ?? new Uint8Array(),
      identity: { case: "barCode", value: picture?.contentType ?? "" },
    }),
    downloadPicture: ({ name }) => ({ contentType: "application/octet-stream", data: new TextEncoder().encode(name) }),
  });
}
