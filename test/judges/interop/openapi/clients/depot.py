"""Calls the depot with the client that openapi-python-client has generated, and prints what came back."""
import io
import json
import sys

from depot_client.api.depot_service_rest import (
    depot_service_create_item,
    depot_service_download_picture,
    depot_service_get_item,
    depot_service_search_items,
    depot_service_upload_picture,
    depot_service_watch_items,
)
from depot_client.client import Client
from depot_client.models import ManywireTestDescribeV1SearchItemsRequest as SearchItemsRequest
from depot_client.types import File

client = Client(base_url=sys.argv[1])
item = depot_service_get_item.sync("1", "2", client=client)
created = depot_service_create_item.sync("1", client=client, body=item)
searched = depot_service_search_items.sync(client=client, body=SearchItemsRequest(text="t", page_size=3, code="c"))
watched = depot_service_watch_items.sync(client=client, count=2)
picture = File(payload=io.BytesIO(b"\x00\xff"), mime_type="application/octet-stream")
uploaded = depot_service_upload_picture.sync("1", "2", client=client, body=picture)
downloaded = depot_service_download_picture.sync("1", "2", client=client)
print(json.dumps({
    "created": created.to_dict(),
    "searched": searched.to_dict(),
    "watched": [one.to_dict() for one in watched],
    "uploaded": uploaded.to_dict(),
    "downloaded": downloaded.payload.read().decode(),
}))
