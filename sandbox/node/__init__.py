"""The node stand-in: scheduler and kubelet of the sandbox, whose containers are local processes.

What a pod's specification says about commands, environment, probes, hooks, restarts and
termination is done as a kubelet does it. What needs a container is not there: images are a
table of commands (images.py), a container sees this machine's files and runs as this user,
CPU is not limited, and of the volumes only Secrets are there, as files in the pod's folder
(volumes.py; an event on the pod names the others).
"""
