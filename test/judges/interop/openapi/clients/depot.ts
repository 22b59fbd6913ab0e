// Calls the depot with the client that @hey-api/openapi-ts has generated, and prints what came back.

import { client } from "./client/client.gen.js";
import {
  depotServiceCreateItem,
  depotServiceDownloadPicture,
  depotServiceGetItem,
  depotServiceSearchItems,
  depotServiceUploadPicture,
  depotServiceWatchItems,
} from "./client/sdk.gen.js";

client.setConfig({ baseUrl: process.argv[2] ?? "", throwOnError: true });
const path = { shelf: "1", item: "2" };
const item = await depotServiceGetItem({ path, throwOnError: true });
const created = await depotServiceCreateItem({ path, body: item.data, throwOnError: true });
const searched = await depotServiceSearchItems({ body: { text: "t", pageSize: 3, code: "c" }, throwOnError: true });
const watched = await depotServiceWatchItems({ query: { count: 2 }, throwOnError: true });
const body = new Blob([Uint8Array.of(0, 255)]);
const uploaded = await depotServiceUploadPicture({ path, body, throwOnError: true });
const downloaded = await depotServiceDownloadPicture({ path, parseAs: "text", throwOnError: true });
process.stdout.write(
  JSON.stringify({
    created: created.data,
    searched: searched.data,
    watched: watched.data,
    uploaded: uploaded.data,
    downloaded: downloaded.data,
  }),
);
