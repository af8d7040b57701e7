// The module worker: the engine, behind Comlink.
import { expose } from 'comlink';
import { Engine } from './engine.js';

expose(new Engine());
