/** A sensor as SensorThings entities, and examples that send its first measurement. */
import type { Identity } from '../../api';
import { ownIdentity } from '../../app/session';

export interface SensorWish {
  name: string;
  slug: string;
  dataset: string;
  property: string;
  unit: string;
  longitude: number;
  latitude: number;
  capacity: number | null;
}

export const measurable: Record<string, string> = {
  occupancy: '{vehicle}', free_spaces: '{vehicle}', crowd_count: '{person}', pm2_5: 'ug/m3', pm10: 'ug/m3',
  temperature: 'Cel', relative_humidity: '%', pressure: 'hPa', sound_level: 'dB[SPL]',
};

export function thingOf(wish: SensorWish): Record<string, unknown> {
  const datasetSlug = wish.dataset.split(':').at(-1) ?? '';
  const thing = `${datasetSlug}.${wish.slug}`;
  return {
    '@iot.id': thing,
    name: wish.name,
    description: wish.name,
    properties: { dataset: wish.dataset },
    Locations: [{
      name: wish.name, description: wish.name, encodingType: 'application/geo+json',
      location: { type: 'Point', coordinates: [wish.longitude, wish.latitude] },
    }],
    Datastreams: [{
      '@iot.id': `${thing}.${wish.property}`,
      name: wish.name, description: wish.name,
      observationType: 'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement',
      unitOfMeasurement: { name: wish.unit, symbol: wish.unit, definition: 'https://ucum.org' },
      ObservedProperty: { '@iot.id': wish.property, name: wish.property, definition: `urn:dmi:property:${wish.property}`, description: wish.property },
      Sensor: { name: wish.name, description: wish.name, encodingType: 'text/html', metadata: 'https://www.ogc.org/standard/sensorthings/' },
      properties: wish.capacity === null ? {} : { capacity: wish.capacity },
    }],
  };
}

/** How `who` gets an access token: an identity of the demonstration is lent one, any other proves who it is with its key. */
export function tokenExample(origin: string, who: Pick<Identity, 'id' | 'participant'>): string {
  if (who.id === ownIdentity) return `export DMI_TOKEN=$(dmi token --key sleutel.jwk --participant ${who.participant} --url ${origin})`;
  return `export DMI_TOKEN=$(curl -s ${origin}/exchange/v1/demo/token \\
  -H "Content-Type: application/json" -d '{"identity": "${who.id}"}' \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')`;
}

export function examples(origin: string, datastream: string): { curl: string; python: string } {
  const curl = `curl -X POST ${origin}/ingest/v1.1/Observations \\
  -H "Authorization: Bearer $DMI_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"Datastream": {"@iot.id": "${datastream}"}, "phenomenonTime": "'$(date -u +%FT%TZ)'", "result": 42}'`;
  const python = `import datetime, json, os, urllib.request

observation = {
    "Datastream": {"@iot.id": "${datastream}"},
    "phenomenonTime": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    "result": 42,
}
request = urllib.request.Request(
    "${origin}/ingest/v1.1/Observations",
    data=json.dumps(observation).encode(),
    headers={
        "Authorization": "Bearer " + os.environ["DMI_TOKEN"],
        "Content-Type": "application/json",
    },
)
print(urllib.request.urlopen(request).status)
`;
  return { curl, python };
}
