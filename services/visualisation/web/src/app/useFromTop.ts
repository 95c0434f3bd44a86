/** For what takes the place of a long form: it is read from its beginning, and the focus is not lost with the button. */
import { useEffect } from 'react';

export function useFromTop(): void {
  useEffect(() => {
    window.scrollTo(0, 0);
    document.getElementById('content')?.focus({ preventScroll: true });
  }, []);
}
