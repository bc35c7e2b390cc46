"""What is measured, where, when, and what is paid: data files with thin readers."""
