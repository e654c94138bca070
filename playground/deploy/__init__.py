"""This engine on many machines: replicas of it behind Ray Serve.

Only ray_serve.py and replica_router.py know Ray; what a replica answers and what stands before it are plain ASGI.
"""
