"""Where do teacher and student look, stage by stage, and what would the losses penalise?"""

import streamlit as st

from pages.ui import frame

frame.open_page("Attention and causal masks", "")
