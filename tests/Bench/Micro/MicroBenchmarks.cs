using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Supervisor.Bench.Micro;

/// <summary>The code for one event, message, line or call: time and allocation, in this process under the JIT.</summary>
internal static class MicroBenchmarks
{
    public static void Run()
    {
        var artifacts = Directory.CreateTempSubdirectory("listend-micro-");
        try
        {
            var config = new ManualConfig { ArtifactsPath = artifacts.FullName }
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.DontLogOutput))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .AddExporter(MarkdownExporter.Console)
                .AddLogger(NullLogger.Instance)
                .WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.JoinSummary);
            var summaries = BenchmarkRunner.Run(
                [
                    typeof(ServiceMachineBenchmarks), typeof(NotifyMessageBenchmarks), typeof(OutputPipeBenchmarks),
                    typeof(HandleHistoryBenchmarks), typeof(ListenerFactoryBenchmarks),
                ],
                config);
            foreach (var summary in summaries)
            {
                MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Default);
            }
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }
}
