"""The report's sections: each is a function of the models that were chosen."""
