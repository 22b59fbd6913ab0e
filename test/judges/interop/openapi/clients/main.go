// Calls the depot with the client that oapi-codegen has generated, and prints what came back.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"

	"manywire.test/depot/depot"
)

func must[Value any](value Value, err error) Value {
	if err != nil {
		panic(err)
	}
	return value
}

func pointer[Value any](value Value) *Value { return &value }

func main() {
	ctx := context.Background()
	client := must(depot.NewClientWithResponses(os.Args[1]))
	item := must(client.DepotServiceGetItemWithResponse(ctx, "1", "2")).JSON200
	created := must(client.DepotServiceCreateItemWithResponse(ctx, "1", *item)).JSON200
	searched := must(client.DepotServiceSearchItemsWithResponse(ctx, depot.ManywireTestDescribeV1SearchItemsRequest{
		Text: pointer("t"), PageSize: pointer(int32(3)), Code: pointer("c"),
	})).JSON200
	watched := must(client.DepotServiceWatchItemsWithResponse(ctx, &depot.DepotServiceWatchItemsParams{Count: pointer(int32(2))})).JSON200
	picture := bytes.NewReader([]byte{0, 255})
	uploaded := must(client.DepotServiceUploadPictureWithBodyWithResponse(ctx, "1", "2", "application/octet-stream", picture)).JSON200
	downloaded := must(client.DepotServiceDownloadPictureWithResponse(ctx, "1", "2")).Body
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"created": created, "searched": searched, "watched": watched, "uploaded": uploaded, "downloaded": string(downloaded),
	}))
}
