"""What the scripts of this workflow have in common: the names of sexes, species and traits."""

# Column of the clean tables -> name in the figure. The culmen is the ridge on top of the bill, where it is measured.
TRAITS = {
    "culmen_length_mm": "Bill length",
    "culmen_depth_mm": "Bill depth",
    "flipper_length_mm": "Flipper length",
    "body_mass_g": "Body mass",
}

# Column of the raw data -> column of the clean tables.
RAW_COLUMNS = {
    "Culmen Length (mm)": "culmen_length_mm",
    "Culmen Depth (mm)": "culmen_depth_mm",
    "Flipper Length (mm)": "flipper_length_mm",
    "Body Mass (g)": "body_mass_g",
}

SPECIES_LABELS = {"adelie": "Adélie", "chinstrap": "Chinstrap", "gentoo": "Gentoo"}

SEXES = ("female", "male")
