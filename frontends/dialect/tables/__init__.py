"""Field numbers of forks, a file for each; :mod:`frontends.dialect.known` imports all of them."""
