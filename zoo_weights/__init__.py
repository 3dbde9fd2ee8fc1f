"""The presets that come with attention_zoo: one folder each, `architecture.tag/`."""
