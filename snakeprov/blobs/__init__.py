"""Bytes, kept by what they are.

Must not know: entities, activities, SQL, HTTP.
"""
