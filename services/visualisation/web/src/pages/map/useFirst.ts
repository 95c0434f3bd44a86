/** Keeps what came first: a map that opened on what was there then does not jump when more comes in. */
import { useState } from 'react';

export function useFirst<T>(value: T | null): T | null {
  const [first, setFirst] = useState(value);
  if (first === null && value !== null) setFirst(value);
  return first ?? value;
}
