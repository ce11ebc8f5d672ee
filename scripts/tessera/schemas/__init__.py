"""One definition per artefact: columns, types, units, and the documentation made from them."""
