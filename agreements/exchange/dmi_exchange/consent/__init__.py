"""Consent of people: given for one purpose and one recipient, recorded after ISO/IEC TS 27560, with a receipt."""
