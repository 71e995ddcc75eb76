"""What runs networks over pictures to measure them, for the commands and the app alike."""
