import {
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { failureOf, sdkPlugin } from './checks.js'

export default sdkPlugin(({ config }) => {
  const client = new EC2Client({
    region: 'eu-west-1',
    endpoint: config.endpoint,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret' },
    maxAttempts: 2,
  })
  return {
    async describe() {
      const { Reservations } = await client.send(new DescribeInstancesCommand({ MaxResults: 5 }))
      return Reservations.flatMap(({ Instances }) => Instances).map((instance) => ({
        id: instance.InstanceId,
        state: instance.State.Name,
        tags: instance.Tags,
        launched: instance.LaunchTime.toISOString(),
      }))
    },
    async run() {
      const command = new RunInstancesCommand({
        ImageId: 'ami-1',
        MinCount: 1,
        MaxCount: 1,
        UserData: Buffer.from('#cloud-config\n# ü & <tags>').toString('base64'),
      })
      const { Instances } = await client.send(command)
      return Instances[0].InstanceId
    },
    // The server has no time for the first attempt.
    async retried() {
      const { Regions, $metadata } = await client.send(new DescribeRegionsCommand({}))
      return { regions: Regions.map(({ RegionName }) => RegionName), attempts: $metadata.attempts }
    },
    refused: () =>
      failureOf(() => client.send(new TerminateInstancesCommand({ InstanceIds: ['i-other'] }))),
  }
})
