using BenchmarkDotNet.Attributes;
using Microsoft.Win32.SafeHandles;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Bench.Micro;

/// <summary>Writes, reads and splits into lines 64 KiB of a worker's output, which is a full pipe.</summary>
public class OutputPipeBenchmarks
{
    private const int PipeBytes = 64 * 1024;

    private OutputPipe _pipe = null!;
    private FileStream _worker = null!;
    private byte[] _output = null!;
    private int _lines;

    /// <summary>Bytes of a line, including its end.</summary>
    [Params(64, 1024)]
    public int LineBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        if (Files.Pipe(out var readEnd, out var writeEnd) is { } error)
        {
            throw new InvalidOperationException(error.ToString());
        }

        _pipe = new OutputPipe(readEnd!, _ => _lines++);
        _worker = new FileStream(new SafeFileHandle(writeEnd!.Number, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        writeEnd.SetHandleAsInvalid();
        _output = new byte[PipeBytes];
        Array.Fill(_output, (byte)'x');
        for (var end = LineBytes - 1; end < PipeBytes; end += LineBytes)
        {
            _output[end] = (byte)'\n';
        }
    }

    [Benchmark]
    public int Split()
    {
        _worker.Write(_output);
        _pipe.Drain();
        return _lines;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _worker.Dispose();
        _pipe.Dispose();
    }
}
