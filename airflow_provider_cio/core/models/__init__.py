"""The retention models: what a team's own tables are called, and the SQL files that are built from them."""
