import { parentPort } from 'node:worker_threads';
import { computeJob, type ComputeJob } from './compute-job.ts';

// The program of a thread that computes: a job in, its result out, one after another.
parentPort?.on('message', (job: ComputeJob) => parentPort?.postMessage(computeJob(job)));
