// Calls the depot with the client that openapi-generator has generated, and prints what came back.
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.DepotServiceRestApi;
import org.openapitools.client.model.ManywireTestDescribeV1SearchItemsRequest;

class Depot {
  public static void main(String[] arguments) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(arguments[0]);
    DepotServiceRestApi depot = new DepotServiceRestApi(client);
    Map<String, Object> outcome = new LinkedHashMap<>();
    outcome.put("created", depot.depotServiceCreateItem("1", depot.depotServiceGetItem("1", "2")));
    ManywireTestDescribeV1SearchItemsRequest search = new ManywireTestDescribeV1SearchItemsRequest();
    outcome.put("searched", depot.depotServiceSearchItems(search.text("t").pageSize(3).code("c")));
    outcome.put("watched", depot.depotServiceWatchItems(2));
    outcome.put("downloaded", Files.readString(depot.depotServiceDownloadPicture("1", "2").toPath()));
    // Its types have empty lists and maps for those that are absent.
    ObjectMapper mapper = client.getObjectMapper().setSerializationInclusion(JsonInclude.Include.NON_EMPTY);
    System.out.print(mapper.writeValueAsString(outcome));
  }
}
