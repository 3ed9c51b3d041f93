"""The models as a graph, and the one runner that binds and makes them.

What each declares is in `heads`, who makes which table in `registry`, how they are filled in in
`parameters` and `reference`, where their inputs come from in `inputs` and `moment`; `runner` binds.
"""
