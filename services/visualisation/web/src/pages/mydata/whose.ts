import { createContext, useContext } from 'react';

/** Whose data the page is about: a person that one represents, or empty for oneself. */
export const Whose = createContext('');

export const useWhose = () => useContext(Whose);
