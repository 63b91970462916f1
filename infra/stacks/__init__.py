"""The units of deployment, split by how long their contents live: data outlasts code."""
