/** Programs that work as they are copied: for one dataset, one action and one purpose of an agreement. */

export interface ExampleWish {
  origin: string;
  /** The demonstration identity that signs in. */
  identity: string;
  dataset: string;
  purpose: string;
  /** Comments in the reader's language. */
  words: { token: string; read: string; contribute: string };
}

function head({ origin, identity, purpose, words }: ExampleWish, imports: string): string {
  return `import ${imports}

HOST = "${origin}"


def call(path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(HOST + path, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# ${words.token}
token = call("/exchange/v1/demo/token", {"identity": "${identity}"})["access_token"]
rights = {"Authorization": "Bearer " + token, "DMI-Purpose": "${purpose}"}
`;
}

/** Asks for the latest values of a dataset. */
export function readExample(wish: ExampleWish): string {
  return `${head(wish, 'json, urllib.request')}
# ${wish.words.read}
for item in call("/platform/v1/latest?dataset=${wish.dataset}", headers=rights)["items"]:
    print(item["datastream"], item["result"], item["unit"], item["phenomenon_time"])
`;
}

/** Hands in one measurement of a sensor. */
export function contributeExample(wish: ExampleWish, datastream: string): string {
  return `${head(wish, 'datetime, json, urllib.request')}
# ${wish.words.contribute}
now = datetime.datetime.now(datetime.timezone.utc).isoformat()
batch = {"dataset": "${wish.dataset}", "datastream": ["${datastream}"], "phenomenon_time": [now], "result": [12]}
print(call("/ingest/v1/batches", batch, rights))
`;
}
