/** Whether who is signed in supervises: the rulebook lets its role inspect. The service decides by itself, too. */
import { useNames } from './names';
import { useSession } from './session';

export function useSupervises(): boolean {
  const { identity } = useSession();
  const { rulebook } = useNames();
  const role = rulebook?.roles?.find((one) => one.id === `dmi:role:${identity?.role ?? ''}`);
  return role?.may?.includes('inspect') ?? false;
}
