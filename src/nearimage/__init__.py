"""The image search database you install with pip.

    import nearimage

    with nearimage.connect("pictures") as library:
        dogs = library.collection("Dog")
        dogs.add("rex.jpg", breed="corgi", weight=11.5)
        for match in dogs.search("query.jpg", where=nearimage.field("weight") < 20):
            print(match.properties["breed"], match.distance)

Everything here is light: models, SQLite and numpy are loaded by `connect`.
"""

from nearimage.library import connect, field

__all__ = ["connect", "field"]
