"""What stays true when a county becomes a province: the same result, in bounded memory, at a cost
in proportion.
"""
