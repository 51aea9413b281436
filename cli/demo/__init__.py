"""The main job, told by real releases: good ones are promoted, bad ones rolled back."""
