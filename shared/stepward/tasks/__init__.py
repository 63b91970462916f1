"""The catalog of task types: one file a type, which says all that is special about it; `base.py` names what there is to say."""
