"""Arrays, frames, files and streams as what `fit` takes; splits, scaling, baselines."""
