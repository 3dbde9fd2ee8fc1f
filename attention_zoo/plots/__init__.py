"""Pictures of attention. Each function returns a Matplotlib Figure and shows nothing."""

from attention_zoo.plots.curves import plot_curves as plot_curves
from attention_zoo.plots.forecast import plot_forecast as plot_forecast
from attention_zoo.plots.heatmap import plot_heatmap as plot_heatmap
from attention_zoo.plots.matrix import plot_alignment as plot_alignment
from attention_zoo.plots.matrix import plot_heads as plot_heads
from attention_zoo.plots.profile import plot_profile as plot_profile
from attention_zoo.plots.profile import plot_rows as plot_rows
from attention_zoo.plots.tokens import plot_tokens as plot_tokens
