"""What was recorded, in the forms that others read: W3C PROV, RO-Crate, and words for a paper.

Must not know: how the answer of a store is found in it, or what was typed to ask for it.
"""
