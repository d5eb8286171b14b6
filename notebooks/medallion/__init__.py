"""The medallion of a pet insurer: raw files to bronze, trusted records to silver, figures to gold."""
