"""Property tests try the same inputs in each run: a failure is of the code, never of the day."""

import hypothesis

hypothesis.settings.register_profile("handgrad", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("handgrad")
