"""PLS path modelling: engine, bootstrap, fit, prediction."""
