/** A place or sensor that a search found by name. */
export interface FoundPlace {
  id: string;
  dataset: string;
  kind: 'neighbourhood' | 'area' | 'line' | 'stop' | 'address' | 'datastream';
  name: string;
  observed_property: string | null;
  /** Name of the neighbourhood that it lies in. */
  neighbourhood: string | null;
  /** West, south, east, north; null for what has no place. */
  bbox: [number, number, number, number] | null;
}
